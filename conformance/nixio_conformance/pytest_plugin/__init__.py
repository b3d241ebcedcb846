"""The suite as a pytest plugin: options, the controller's and the workers' parts of a run, and each case's verdict."""
