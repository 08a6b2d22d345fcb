namespace CSsl.Link;

/// <summary>Who is at an end of a link.</summary>
/// <param name="Name">The process's name in the cluster: 1 to 255 bytes of UTF-8, no control characters.</param>
/// <param name="ClusterId">Both ends must belong to the same cluster; the same limits.</param>
public sealed record LinkIdentity(string Name, string ClusterId);
