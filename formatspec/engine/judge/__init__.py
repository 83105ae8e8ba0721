"""What a finding weighs in one format: levels that a spec sets, and objects judged as a format will state them."""
