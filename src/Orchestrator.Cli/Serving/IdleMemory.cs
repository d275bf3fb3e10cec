using System.Runtime;

namespace Orchestrator.Cli.Serving;

/// <summary>
/// Gives memory back once it is quiet after work. The collector keeps what a start or a roll-out took, and the C library's allocator
/// what compiling it took: a third of a process that then has next to nothing to do.
/// </summary>
/// <param name="allocated">Bytes allocated since the process started.</param>
/// <param name="giveBack">A full collection, some 30 ms.</param>
internal sealed class IdleMemory(TimeProvider time, Func<long> allocated, Action giveBack)
{
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    /// <summary>Allocated in a period, in bytes: less is quiet. Probes of 30 replicas and their watches take an eighth of it.</summary>
    public const long Quiet = 2 * 1024 * 1024;

    /// <summary>Allocated since memory was last given back, in bytes: less is not worth it.</summary>
    public const long Worthwhile = 16 * 1024 * 1024;

    public static IdleMemory OfThisProcess(TimeProvider time) => new(time, () => GC.GetTotalAllocatedBytes(), GiveBack);

    /// <summary>Until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // The start itself was work, however little it allocated here.
        var givenBack = -Worthwhile;
        var before = allocated();
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                var now = allocated();
                if (now - before < Quiet && now - givenBack >= Worthwhile)
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
