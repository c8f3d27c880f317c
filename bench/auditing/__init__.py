"""The checks of ``bench.audit``, on training logs of any reference. No torch here."""
