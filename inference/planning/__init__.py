"""What a model takes before a weight of it is read: buffers against limits, memory over time, work, time to expect."""
