"""Moving in: files of other gateways."""
