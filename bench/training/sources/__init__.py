"""Where training pictures come from: one file a kind of package, each function `raw folder -> iterator of Picture`."""
