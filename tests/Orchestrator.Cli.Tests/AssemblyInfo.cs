using Xunit.v3;

// Half of them wait, for processes to start and for times that are to run out.
[assembly: Parallelization(MaxThreads = 4)]
