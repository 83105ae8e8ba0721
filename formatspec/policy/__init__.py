"""What is done about defects: which action a finding asks for, and what an action makes of an item."""
