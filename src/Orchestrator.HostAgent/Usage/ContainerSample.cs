namespace Orchestrator.HostAgent.Usage;

/// <summary>The counters of a running container as an engine read them.</summary>
/// <param name="Time">By the engine's clock: two samples of one container compare, those of two engines do not.</param>
/// <param name="CpuNanoseconds">Processor time of all its processes since its start. Begins anew with each run.</param>
/// <param name="MemoryBytes">As the docker CLI counts: without the page cache that would go first if memory ran short.</param>
internal sealed record ContainerSample(DateTimeOffset Time, ulong CpuNanoseconds, long MemoryBytes)
{
    /// <returns>
    /// Cores in use on average since an earlier sample. Null when there is none to compare with: no time has passed, or the counter
    /// fell, since it is that of another run. One that has passed the old value already is taken for the same run: the engine's
    /// counters do not say, and the result is then too low, never too high.
    /// </returns>
    public decimal? CoresSince(ContainerSample earlier)
    {
        var nanoseconds = (Time - earlier.Time).Ticks * TimeSpan.NanosecondsPerTick;
        return nanoseconds > 0 && CpuNanoseconds >= earlier.CpuNanoseconds
            ? (decimal)(CpuNanoseconds - earlier.CpuNanoseconds) / nanoseconds
            : null;
    }
}
