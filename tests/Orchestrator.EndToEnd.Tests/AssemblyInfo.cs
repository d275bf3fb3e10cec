using Xunit.Sdk;
using Xunit.v3;

// The tests share one lab: one at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
