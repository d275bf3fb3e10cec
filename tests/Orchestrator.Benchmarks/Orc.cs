namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>The executable that is measured: the published one (<c>make orc</c>).</summary>
internal static class Orc
{
    public static string Path { get; } = Repository.At("artifacts/publish/orc");
}
