using Xunit.Sdk;
using Xunit.v3;

namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>Collections that take minutes begin first: one that began last would end minutes after all others.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long = [nameof(BreakingHosts), nameof(CrashTests), nameof(DrainTests), nameof(BadVersionTests), nameof(BadInputTests)];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection => [.. testCollections.OrderBy(Rank)];

    private static int Rank<TTestCollection>(TTestCollection collection)
        where TTestCollection : ITestCollection
    {
        // The display name has that of the class, or of the collection's definition.
        var rank = Array.FindIndex(Long, name => collection.TestCollectionDisplayName.Contains($".{name}", StringComparison.Ordinal));
        return rank < 0 ? Long.Length : rank;
    }
}
