"""A module beside the entry script: it comes along in the source directory."""


class Linear:
    def __init__(self, intercept, weights):
        self.intercept = intercept
        self.weights = weights

    def predict(self, row):
        if len(row) != len(self.weights):
            raise ValueError(f"a row has {len(self.weights)} numbers, not {len(row)}")
        return self.intercept + sum(w * x for w, x in zip(self.weights, row))
