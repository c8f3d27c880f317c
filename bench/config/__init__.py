"""What to run: recipes, schedules, cells, profiles. No torch."""
