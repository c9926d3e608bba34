"""What does training do? Gradients and steps of gradient descent in floats, in any format, and exactly."""
