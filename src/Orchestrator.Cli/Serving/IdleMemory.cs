using System.Runtime;

namespace Orchestrator.Cli.Serving;

/// <summary>
/// Gives memory back once it is quiet after work. The collector keeps what a start or a roll-out took, and the C library's allocator
/// what compiling it took: a third of a process that then has next to nothing to do.
/// </summary>
internal sealed class IdleMemory(TimeProvider time)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    /// <summary>Allocated in a period, in bytes: less is quiet. Probes of 30 replicas and their watches take a sixth of it.</summary>
    private const long Quiet = 2 * 1024 * 1024;

    /// <summary>Allocated since memory was last given back, in bytes: less is not worth a full collection (some 30 ms).</summary>
    private const long Worthwhile = 48 * 1024 * 1024;

    /// <summary>Until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var givenBack = 0L;
        var before = GC.GetTotalAllocatedBytes();
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                var allocated = GC.GetTotalAllocatedBytes();
                if (allocated - before < Quiet && allocated - givenBack >= Worthwhile)
                {
                    GiveBack();
                    givenBack = allocated;
                }

                before = allocated;
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
