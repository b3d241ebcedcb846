"""The suite as a pytest plugin: options, the controller's and the workers' part of a run, and a case's verdict."""
