"""`make rehearse`: the unmodified stack on an emulated AWS, deployed by the real CDK CLI, used, and destroyed."""
