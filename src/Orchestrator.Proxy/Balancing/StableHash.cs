namespace Orchestrator.Proxy.Balancing;

/// <summary>
/// 64 bits that are the same in every process and every proxy: FNV-1a (Fowler, Noll, Vo), and SplitMix64's finalizer after it, for FNV leaves what
/// is alike alike in its upper bits. No protection against who chooses values to meet.
/// </summary>
internal static class StableHash
{
    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var hash = 0xCBF29CE484222325;
        foreach (var one in bytes)
        {
            hash = (hash ^ one) * 0x100000001B3;
        }

        return Mix(hash);
    }

    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
