"""What is done about defects: chooses the action for each finding, and applies it to items."""
