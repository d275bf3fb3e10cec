namespace Orchestrator.ApiServer.Auth;

/// <summary>Who a request comes from.</summary>
/// <param name="Groups">Without those that all have; see <see cref="AllGroups"/>.</param>
public sealed record Identity(string Name, IReadOnlyList<string> Groups)
{
    /// <summary>Members may do everything.</summary>
    public const string Masters = "system:masters";

    public const string Controller = "orchestrator:controller";
    public const string Proxy = "orchestrator:proxy";

    public static Identity Admin { get; } = new("orchestrator:admin", [Masters]);

    public static Identity Anonymous { get; } = new("system:anonymous", []);

    public bool IsAnonymous => Name == Anonymous.Name;

    public IEnumerable<string> AllGroups => Groups.Append(IsAnonymous ? "system:unauthenticated" : "system:authenticated");
}
