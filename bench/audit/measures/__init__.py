"""What audits measure, as functions of arrays and tables: numbers in, numbers with intervals out.

| module        | question                                                                                        |
|---------------|-------------------------------------------------------------------------------------------------|
| groups        | which pictures form which groups, and which groups are too small to be shown                    |
| disparity     | rates by group, the worst group, difference and ratio; false-discovery control                  |
| parity        | demographic parity, equal opportunity, equalised odds of each class                             |
| threshold     | labels above a probability threshold, by group                                                  |
| association   | WEAT and iEAT                                                                                   |
| skew          | whom a search brings to the top                                                                 |
| perceived     | composition of generated pictures, corrected for the classifier's errors                        |
| spread        | a number over paraphrased templates                                                             |
| effective     | effective and relative robustness; `baselines` are the published lines                          |
| mce           | mCE of ImageNet-C                                                                               |
| calibration   | ECE, Brier, NLL, temperature; `binned` holds the bins                                           |
| prompts       | accuracy by template, and what the ensemble gains                                               |
| overlap       | test pictures that are in another set, and what that changes                                    |
| resampling    | bootstrap of rates by group (clusters, strata); `bootstrap` of accuracies of models and pictures |
"""
