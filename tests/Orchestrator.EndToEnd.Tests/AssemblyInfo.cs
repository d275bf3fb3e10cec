using Orchestrator.EndToEnd.Tests.Installations;
using Xunit.Sdk;
using Xunit.v3;

// They wait more than they work: three installations side by side on one lab, each with ports of its own on the hosts.
[assembly: Parallelization(Mode = ParallelMode.Collections, MaxThreads = 3)]
[assembly: TestCollectionOrderer<LongestFirst>]
