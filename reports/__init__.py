"""Reports: pandas in, tables, figures and pages out. No model, no torch, no data set, and no score is computed here.

What belongs here: counts over stored predictions (confusion, accuracy by class), arithmetic on stored rows (means,
pivots, paired tests) and their presentation. A report is made from the run folder alone.

| module      | what it does                                                                  |
|-------------|-------------------------------------------------------------------------------|
| folder      | a run folder as values: rows, provenance, predictions, kept pictures           |
| intervals   | Wilson, means of independent values, chance adjustment, random effects         |
| tables      | DataFrame -> DataFrame: headline rows, verdicts, summaries, grids              |
| classes     | accuracy by class, confusion, confused pairs, prompt hints                     |
| paired      | McNemar, paired bootstrap, Holm, rank intervals                                |
| compare     | two or more systems on the same pictures: who wins where, and is it real       |
| comparison_page | the comparison in words, JSON and files                                    |
| parity      | a run on published weights beside the published values                         |
| figures     | the style of all figures and how one becomes SVG; charts, heatmaps: the figures |
| svg         | the same figures in the colours of a page                                      |
| pictures    | galleries within a size budget                                                 |
| words       | numbers and sentences; escape: text that stays text in every format            |
| sections    | what the templates show, part by part; context: all of it for some runs        |
| page        | writes a report: HTML, figures; documents: Markdown and LaTeX                  |
| cli         | `bench-report`                                                                 |

How to add a table or figure: a function in `tables` or `charts`, and its place in `sections` and `assets/page.html`.
"""
