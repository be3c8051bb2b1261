"""What acts by itself: the retraining sensor, the weekly schedule, the run launcher."""
