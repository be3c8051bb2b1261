"""From a training set to a fitted model: splits, encoding, estimators, places to train."""
