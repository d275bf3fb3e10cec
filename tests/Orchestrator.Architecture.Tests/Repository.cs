using System.Xml.Linq;

namespace Orchestrator.Architecture.Tests;

/// <summary>The source tree these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<Project> Projects { get; } =
        [.. Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories).Select(Project.Read).OrderBy(project => project.Name, StringComparer.Ordinal)];

    public static XDocument Load(string relativePath) => XDocument.Load(Path.Combine(Root, relativePath));

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Orchestrator.sln")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException($"no Orchestrator.sln above {AppContext.BaseDirectory}");
    }
}

/// <summary>What a project file refers to.</summary>
internal sealed record Project(string Name, IReadOnlyList<string> References, IReadOnlyList<string> Packages)
{
    private const string Prefix = "Orchestrator.";

    public static Project Read(string path)
    {
        var file = XDocument.Load(path);
        return new Project(
            ShortName(path),
            [.. Includes(file, "ProjectReference").Select(ShortName)],
            [.. Includes(file, "PackageReference")]);
    }

    private static string ShortName(string path) => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'))[Prefix.Length..];

    private static IEnumerable<string> Includes(XDocument file, string element) =>
        file.Descendants(element).Select(reference => (string?)reference.Attribute("Include") ?? "");
}
