using System.Globalization;

namespace Orchestrator.Runtime.Connections;

/// <summary>
/// Files that this process has open, and may have: connections are files. Who opens many asks first, and each leaves some to those who matter more. A
/// process at its limit can make no thread and read no file any more, and the runtime ends it, with all that it did well.
/// </summary>
/// <param name="count">Those that are open.</param>
public sealed class OpenFiles(Func<int> count, long limit, TimeProvider time)
{
    /// <summary>Of the limit: up to here nobody need know how many are open.</summary>
    private const double Plenty = 0.5;

    /// <summary>From one count to the next, at the least: it lists a folder, and a thousand connections may be begun at once.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    /// <summary>The share of the time that may go into counting, as its inverse: of very many it takes longer.</summary>
    private const int Rarely = 20;

    private readonly Lock _gate = new();
    private long _nextCountAt = long.MinValue;
    private int _counted = count();
    private int _begun;

    /// <summary>Of this process.</summary>
    public static OpenFiles OfThisProcess { get; } = new(CountOwn, LimitOf(File.ReadLines("/proc/self/limits")), TimeProvider.System);

    public long Limit => limit;

    // As last counted, and those begun since, of which some may be closed again.
    private int Count => Volatile.Read(ref _counted) + Volatile.Read(ref _begun);

    /// <summary>From the lines of /proc/self/limits: the hard one, to which the runtime raises its own as it starts.</summary>
    public static long LimitOf(IEnumerable<string> limits) =>
        limits.FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal))?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, _, var hard, ..]
        && long.TryParse(hard, NumberStyles.None, CultureInfo.InvariantCulture, out var most) ? most : long.MaxValue;

    /// <summary>Asked before a file is opened.</summary>
    /// <param name="share">Of the limit, above which the caller's are too many; more than a half.</param>
    /// <returns>False: it would be too many.</returns>
    public bool TryBegin(double share)
    {
        Interlocked.Increment(ref _begun);
        if (Count <= limit * Plenty)
        {
            return true;
        }

        lock (_gate)
        {
            if (time.GetTimestamp() >= _nextCountAt)
            {
                var began = time.GetTimestamp();

                // Those that are begun meanwhile count twice rather than not at all.
                Interlocked.Exchange(ref _begun, 0);
                Volatile.Write(ref _counted, count());
                var pause = Math.Max(Period.TotalSeconds, Rarely * time.GetElapsedTime(began).TotalSeconds);
                _nextCountAt = time.GetTimestamp() + (long)(pause * time.TimestampFrequency);
            }
        }

        if (Count <= limit * share)
        {
            return true;
        }

        Interlocked.Decrement(ref _begun);
        return false;
    }

    /// <summary>A sentence for who is refused: what there is, and what to raise.</summary>
    public override string ToString() =>
        $"{Count} files are open of the {limit} that this process may have; raise its limit (ulimit -Hn, LimitNOFILE= of its unit)";

    private static int CountOwn()
    {
        try
        {
            return Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();
        }
        catch (IOException)
        {
            // Not even one more, to look.
            return int.MaxValue / 2;
        }
    }
}
