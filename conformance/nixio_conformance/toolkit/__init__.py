"""What checks use: the case and its peers, expectations of outcomes, the leak check, and helpers of several checks."""
