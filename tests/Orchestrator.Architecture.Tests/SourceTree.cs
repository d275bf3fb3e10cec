using System.Xml.Linq;

namespace Orchestrator.Architecture.Tests;

/// <summary>The source tree these tests were built from.</summary>
internal static class SourceTree
{
    public static IReadOnlyList<Project> Projects { get; } =
        [.. Directory.EnumerateFiles(Repository.At("src"), "*.csproj", SearchOption.AllDirectories).Select(Project.Read).OrderBy(project => project.Name, StringComparer.Ordinal)];

    public static XDocument Load(string relativePath) => XDocument.Load(Repository.At(relativePath));
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
