namespace Orchestrator.Cli.Connection;

/// <summary>Where <c>orc serve</c> keeps its state unless told otherwise.</summary>
internal static class DataFolders
{
    public const string OfRoot = "/var/lib/orchestrator";

    public static string Default => Environment.IsPrivilegedProcess ? OfRoot : Path.Combine(Home, ".local", "share", "orchestrator");

    public static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
}
