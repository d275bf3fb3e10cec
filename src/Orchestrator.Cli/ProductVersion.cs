using System.Reflection;

namespace Orchestrator.Cli;

/// <summary>The version of this build, such as <c>0.1.0</c>.</summary>
internal static class ProductVersion
{
    public static string Text { get; } =
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
