"""The recipes that made the small bundled checkpoints, from download to card.

In the order they run:

- `fetch`: packages from the public registries, unpacked into a cache folder;
- `pictures`: packages -> one array of pictures and one table of captions a source (`sources/`: one file a kind);
- `teacher`: pictures without captions -> how well each word of a vocabulary fits them, by a pretrained ImageNet tower;
- `clip`: arrays -> checkpoint (`batches`: what a step sees, `losses`: what it is told, `distributed`: many processes).

Nothing here is needed to evaluate a model, and nothing outside this folder imports it.
"""
