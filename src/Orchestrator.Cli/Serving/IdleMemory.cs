using System.Runtime;

namespace Orchestrator.Cli.Serving;

/// <summary>
/// Gives memory back once it is quiet after work. The collector keeps what a start or a roll-out took, and the C library's allocator
/// what compiling it took: a third of a process that then has next to nothing to do.
/// </summary>
/// <param name="look">What the process has taken so far.</param>
/// <param name="isServing">Whether somebody would wait for the collection's end: then it is not the moment.</param>
/// <param name="giveBack">A full collection: some 30 ms for a small heap, in which all threads stand still.</param>
internal sealed class IdleMemory(TimeProvider time, Func<MemoryTaken> look, Func<bool> isServing, Action giveBack)
{
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    /// <summary>Allocated in a period, in bytes: less is quiet. Probes of 30 replicas and their watches take an eighth of it.</summary>
    public const long Quiet = 2 * 1024 * 1024;

    /// <summary>
    /// Allocated since memory was last given back, in bytes: less is not worth it. Nor is less than what is in use, which each
    /// collection goes through: a large heap is collected as seldom as its work is small.
    /// </summary>
    public const long Worthwhile = 16 * 1024 * 1024;

    public static IdleMemory OfThisProcess(TimeProvider time, Func<bool> isServing) =>
        new(time, () => new(GC.GetTotalAllocatedBytes(), GC.GetTotalMemory(forceFullCollection: false)), isServing, GiveBack);

    /// <summary>Until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // The start itself was work, however little it allocated here.
        long? givenBack = null;
        var before = look().Allocated;
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                var (now, inUse) = look();
                if (now - before < Quiet && !(now - givenBack < Math.Max(Worthwhile, inUse)) && !isServing())
                {
                    giveBack();
                    givenBack = now;
                }

                before = now;
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    private static void GiveBack()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        try
        {
            _ = Native.MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Only GNU's C library has it.
        }
    }
}

/// <param name="Allocated">Bytes since the process started.</param>
/// <param name="InUse">Bytes of the heap now, what is not collected yet included.</param>
internal readonly record struct MemoryTaken(long Allocated, long InUse);
