"""Runs the tests of one module and prints one JSON line for each: `{"test": ..., "outcome": ..., "detail": ...}`.

Usage: run_program.py MODULE. What the tests print themselves goes to standard error.
"""

import json
import sys
import unittest

RESULTS = sys.stdout


class JsonLines(unittest.TestResult):
    """Tells of each test when it has ended; a test with failed subtests is told of once, with all of them."""

    def startTest(self, test):
        super().startTest(test)
        self.outcome, self.details = "passed", []

    def addError(self, test, err):
        super().addError(test, err)
        self._fault(self.errors[-1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fault(self.failures[-1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._fault((self.failures if issubclass(err[0], test.failureException) else self.errors)[-1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.outcome, self.details = "skipped", [reason]

    def stopTest(self, test):
        super().stopTest(test)
        self.report(name_of(test), self.outcome, "\n".join(self.details))

    def _fault(self, record):
        test, traceback = record
        self.outcome = "failed"
        self.details.append(f"{test}\n{traceback}")
        if not isinstance(test, unittest.TestCase):
            # setUpClass and its like fail outside of every test.
            self.report(str(test), "failed", traceback)

    @staticmethod
    def report(test, outcome, detail):
        print(json.dumps({"test": test, "outcome": outcome, "detail": detail}), file=RESULTS, flush=True)


def name_of(test):
    """`Predict: answers every type` for the method `test_answers_every_type` of the class `Predict`."""
    return f"{type(test).__name__}: {test._testMethodName[len('test_') :].replace('_', ' ')}"


def main():
    sys.stdout = sys.stderr
    suite = unittest.defaultTestLoader.loadTestsFromName(sys.argv[1])
    result = JsonLines()
    result.outcome, result.details = "passed", []
    suite.run(result)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
