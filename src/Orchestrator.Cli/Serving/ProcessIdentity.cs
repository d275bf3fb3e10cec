using System.Globalization;

namespace Orchestrator.Cli.Serving;

/// <summary>
/// One process and no other, for ever: a pid is given again to somebody else, but not together with the same start time of the
/// same boot.
/// </summary>
/// <param name="StartTime">Clock ticks since boot (field 22 of /proc/PID/stat).</param>
internal sealed record ProcessIdentity(int Pid, long StartTime, string BootId)
{
    /// <returns>Null when there is no such process, or only its remains.</returns>
    public static ProcessIdentity? Of(int pid)
    {
        try
        {
            // The second field is the program's name in parentheses, which may hold spaces and parentheses of its own.
            var stat = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : new(pid, long.Parse(fields[19], CultureInfo.InvariantCulture), CurrentBoot());
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public bool IsAlive() => Of(Pid) == this;

    private static string CurrentBoot() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
}
