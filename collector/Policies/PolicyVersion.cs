using Telemetry.Collector.Compare;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Policies;

/// <summary>One immutable version of a policy.</summary>
/// <param name="Version">Counts from 1; 0 is the one that comes with the product.</param>
/// <param name="Text">TOML, as it was set.</param>
/// <param name="CreatedAt">Null for what comes with the product.</param>
/// <param name="SetBy">Who set it; empty for what comes with the product.</param>
internal sealed record PolicyVersion(int Version, string Text, Yardstick Yardstick, DateTimeOffset? CreatedAt, string SetBy)
{
    /// <summary>In force under its name where nobody set another.</summary>
    public static PolicyVersion Shipped { get; } = new(0, ShippedPolicies.DefaultText, new Yardstick(ShippedPolicies.Default), null, "");

    public Policy Policy => Yardstick.Policy;

    public string Name => Policy.Name;

    /// <summary>Whether this is what is stored.</summary>
    public bool Is(StoredPolicy stored) =>
        Version == stored.Version && Text == stored.Text && CreatedAt == stored.CreatedAt && SetBy == stored.SetBy;

    public bool IsSame(PolicyVersion other) => Name == other.Name && Version == other.Version;
}
