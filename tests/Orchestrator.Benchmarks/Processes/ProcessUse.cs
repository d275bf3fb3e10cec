using System.Globalization;

namespace Orchestrator.Benchmarks.Processes;

/// <summary>What a process has used, as the kernel counts it (proc(5)).</summary>
internal static class ProcessUse
{
    /// <summary>Ticks a second of the times in <c>/proc/PID/stat</c>: USER_HZ, 100 on every platform of .NET.</summary>
    private const double TicksPerSecond = 100;

    /// <returns>Ids of the processes that were started with this command and name this in their arguments.</returns>
    public static IReadOnlyList<int> Find(string command, string argument)
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid)
                && Read(pid, "cmdline")?.Split('\0') is { Length: > 1 } words && words[1] == command && words.Contains(argument))
            {
                found.Add(pid);
            }
        }

        return found;
    }

    /// <summary>Processor time so far, by all its threads.</summary>
    public static TimeSpan Cpu(int pid)
    {
        // The second field is the name in brackets and may hold spaces; after it, utime and stime are the 12th and 13th.
        var stat = Read(pid, "stat") ?? throw new InvalidOperationException($"process {pid} has ended while it was measured");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromSeconds((Number(fields[11]) + Number(fields[12])) / TicksPerSecond);
    }

    /// <summary>MB (10^6 bytes) of memory: its own, and its part of what it shares with others.</summary>
    public static double ProportionalMegabytes(int pid) => Kilobytes(pid, "smaps_rollup", "Pss:") * 1024 / 1e6;

    /// <summary>MB of memory, what it shares with others counted in full.</summary>
    public static double ResidentMegabytes(int pid) => Kilobytes(pid, "status", "VmRSS:") * 1024 / 1e6;

    /// <summary>MB of memory when it had most, what it shares with others counted in full.</summary>
    public static double PeakMegabytes(int pid) => Kilobytes(pid, "status", "VmHWM:") * 1024 / 1e6;

    private static double Kilobytes(int pid, string file, string field)
    {
        var text = Read(pid, file) ?? throw new InvalidOperationException($"process {pid} has ended while it was measured");
        var line = text.Split('\n').Single(line => line.StartsWith(field, StringComparison.Ordinal));
        return Number(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static string? Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (IOException)
        {
            // It has ended.
            return null;
        }
    }
}
