namespace Orchestrator.Runtime.Reconciling;

/// <summary>The sooner of two times, or of two waits, of which there may be none.</summary>
public static class Earliest
{
    public static T? Of<T>(T? one, T? other)
        where T : struct, IComparable<T> =>
        one is not { } left ? other
        : other is not { } right || left.CompareTo(right) <= 0 ? one
        : other;
}
