using System.Globalization;
using System.Text;

namespace Orchestrator.Cli.Serving;

/// <summary>
/// Settings of the runtime for what stays: those of a server, where <c>orc</c> otherwise has those of a short command. The runtime reads them from
/// its environment as it starts, so a process that was started without becomes one that was (docs/design/process-model.md).
/// </summary>
internal static unsafe class RuntimeSettings
{
    public static readonly IReadOnlyDictionary<string, string> OfProxy = new Dictionary<string, string>
    {
        // Sockets' continuations run where their events arrive: a quarter less processor time a request.
        ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1",

        // Threads that wait for these events and do what follows. The runtime's number, one a processor, leaves half of all connections waiting whenever
        // something else has that processor.
        ["DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT"] = (2 * Environment.ProcessorCount).ToString(CultureInfo.InvariantCulture),
        ["DOTNET_TieredPGO"] = "1",

        // Hexadecimal. At the runtime's 30 calls an idle proxy compiles its whole self again within minutes; at 1,000 what is hot.
        ["DOTNET_TC_CallCountThreshold"] = "3E8",
    };

    public static readonly IReadOnlyDictionary<string, string> OfServe = new Dictionary<string, string>
    {
        // Hexadecimal: 64 MB of young objects between collections instead of 6. As 50,000 replicas start, a fifth of all time went into standing still for them.
        ["DOTNET_GCgen0size"] = "4000000",
    };

    /// <summary>
    /// Runs this program anew in its own place (same process, same arguments) if a setting is missing; one that somebody has set is left as it
    /// is. To be called before anything else. Returns if there is nothing to do or it cannot be done: then the process is slower.
    /// </summary>
    public static void Ensure(IReadOnlyDictionary<string, string> settings)
    {
        var missing = settings.Where(setting => Environment.GetEnvironmentVariable(setting.Key) is null).ToDictionary();
        if (missing.Count == 0)
        {
            return;
        }

        // As it was called, the dotnet host with the assembly's path among it.
        var called = File.ReadAllBytes("/proc/self/cmdline");
        using var arguments = new NativeStrings(Encoding.UTF8.GetString(called, 0, called.Length - 1).Split('\0'));
        using var environment = NativeStrings.EnvironmentWith(missing);
        _ = Native.Execute(Environment.ProcessPath!, arguments.Pointer, environment.Pointer);
    }

    /// <summary>So that what is started from here does not have them. Only for such as the runtime has read by now: sockets read theirs when the first is made.</summary>
    public static void KeepToOneself(IReadOnlyDictionary<string, string> settings)
    {
        foreach (var setting in settings.Keys)
        {
            Environment.SetEnvironmentVariable(setting, null);
        }
    }
}
