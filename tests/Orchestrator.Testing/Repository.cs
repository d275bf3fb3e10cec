namespace Orchestrator.Testing;

/// <summary>The checkout that the tests were built from: files that are read where they are, and not copied beside the tests.</summary>
public static class Repository
{
    public static string Root { get; } = Find();

    /// <param name="path">Relative to the root, with forward slashes.</param>
    public static string At(string path) => Path.Combine(Root, path);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Orchestrator.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no folder above {AppContext.BaseDirectory} holds Orchestrator.sln");
    }
}
