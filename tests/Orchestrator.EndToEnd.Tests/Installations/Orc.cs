namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>The executable under test: the one that was built with these tests.</summary>
internal static class Orc
{
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "orc");
}
