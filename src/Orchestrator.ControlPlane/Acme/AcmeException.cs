namespace Orchestrator.ControlPlane.Acme;

/// <summary>An authority refused, or did not do as RFC 8555 says. The message is for people.</summary>
/// <param name="type">The problem's, without its prefix, such as <c>rateLimited</c>; null: not a problem that the authority told of.</param>
/// <param name="retryAfter">Sooner it need not be tried again.</param>
internal sealed class AcmeException(string message, string? type = null, TimeSpan? retryAfter = null, Exception? cause = null) : Exception(message, cause)
{
    public const string BadNonce = "badNonce";
    public const string AccountDoesNotExist = "accountDoesNotExist";

    public string? Type { get; } = type;

    public TimeSpan? RetryAfter { get; } = retryAfter;
}
