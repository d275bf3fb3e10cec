using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer;

/// <summary>What <c>/version</c> says: the Kubernetes version whose API this is, and ours.</summary>
internal static class ServerVersion
{
    private const string Major = "1";
    private const string Minor = "35";

    /// <summary>A semantic version, as clients parse it.</summary>
    public static string Git { get; } = $"v{Major}.{Minor}.0+orchestrator-{Own()}";

    public static JsonObject ToJson() => new()
    {
        ["major"] = Major,
        ["minor"] = Minor,
        ["gitVersion"] = Git,
        ["gitCommit"] = "",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = "",
        ["compiler"] = RuntimeInformation.FrameworkDescription,
        ["platform"] = $"{(OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsMacOS() ? "darwin" : "windows")}/{Architecture()}",
    };

    private static string Own() => typeof(ServerVersion).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    private static string Architecture() => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    };
}
