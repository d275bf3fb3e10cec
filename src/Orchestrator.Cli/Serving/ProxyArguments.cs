namespace Orchestrator.Cli.Serving;

/// <summary>The words by which <c>orc serve</c> starts <c>orc proxy</c>.</summary>
internal static class ProxyArguments
{
    public const string Command = "proxy";
    public const string Join = "--join";
    public const string Kubeconfig = "--kubeconfig";
    public const string Context = "--context";
    public const string InCluster = "--in-cluster";
    public const string DataFolder = "--data-folder";
    public const string Listen = "--listen";
    public const string AdminListen = "--admin-listen";
    public const string DrainTimeout = "--drain-timeout";
    public const string AccessLog = "--access-log";
    public const string LogFile = "--log-file";
    public const string TakeOver = "--take-over";
}
