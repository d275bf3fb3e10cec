using Xunit.v3;

// Those with controllers and an API server mostly wait: for debounced writes, back-offs, grace.
[assembly: Parallelization(MaxThreads = 4)]
