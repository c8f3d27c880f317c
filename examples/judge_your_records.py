"""Judge a folder of records of your own: the claims of the references that they decide.

python examples/judge_your_records.py FOLDER    a results folder, which holds runs/
"""

import sys
from collections import Counter

from bench import judge

verdicts = judge(sys.argv[1])
print(dict(Counter(verdict.word for verdict in verdicts)))
for verdict in verdicts:
    if verdict.p_adjusted is not None:  # decided by training, not by counting
        print(f"{verdict.word}: {verdict.claim.id} (p = {verdict.p_adjusted:.2g})")
