"""What a check uses: the case, peers, expectations of outcomes, leak checks, and helpers that several checks share."""
