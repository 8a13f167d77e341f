using JepaSharp.Configuration;
using JepaSharp.Models;

namespace JepaSharp.Weights;

/// <summary>Training states of DINO and iBOT as published: a student and a teacher, each an encoder with a head, their centres and the
/// optimizer.</summary>
/// <remarks>
/// Names there are <c>backbone.NAME</c> and <c>head.NAME</c>, the student's with <c>module.</c> before them. iBOT's student has a <c>masked_embed</c>
/// beside; a last layer that patches share is listed twice, as <c>last_layer</c> and <c>last_layer2</c>, and is kept once.
/// </remarks>
internal static class StudentAndTeacher
{
    private const string Student = "student", Teacher = "teacher", Head = "_head", Mask = "student_mask";
    private const string Backbone = "backbone.", HeadOf = "head.", LastLayer = "head.last_layer.", PatchLayer = "head.last_layer2.";
    private const string Mark = "backbone.patch_embed.proj.weight", MaskToken = "masked_embed";
    private const string DinoLoss = "dino_loss", IbotLoss = "ibot_loss";

    /// <summary>Whether a checkpoint is one.</summary>
    public static bool IsOne(OrderedDictionary<object, object?> root) =>
        StateOf(root, Student) is { } student && StateOf(root, Teacher) is { } teacher && student.ContainsKey(Mark) && teacher.ContainsKey(Mark);

    /// <summary>Takes over all that it holds.</summary>
    public static void Take(WeightsSource source, OrderedDictionary<object, object?> root)
    {
        var isIbot = root.ContainsKey(IbotLoss) || StateOf(root, Student)!.ContainsKey(Backbone + MaskToken);
        List<string> networks = [Student, Student + Head, Teacher, Teacher + Head];
        if (isIbot) networks.Add(Mask);
        source.Describe(isIbot ? MetaOptions.Ibot : MetaOptions.Dino, networks, Teacher);
        (source.LearnedPositions, source.Resizing) = (true, PositionResizing.BicubicOffset);
        foreach (var network in (string[])[Student, Teacher])
        {
            var state = StateOf(root, network)!;
            var isShared = IsShared(state);
            foreach (var (name, tensor) in state)
            {
                if (isShared && name.StartsWith(PatchLayer, StringComparison.Ordinal)) continue;
                var full = name == Backbone + MaskToken && network == Student ? $"{Mask}.{MaskToken}"
                    : name.StartsWith(Backbone, StringComparison.Ordinal) ? $"{network}.{name[Backbone.Length..]}"
                    : name.StartsWith(HeadOf, StringComparison.Ordinal) ? $"{network}{Head}.{name[HeadOf.Length..]}"
                    : null;
                if (full is null || !source.Tensors.TryAdd(full, tensor)) source.Unknown.Add($"{network}.{name}");
            }
        }

        foreach (var loss in (string[])[DinoLoss, IbotLoss])
        {
            if (root.GetValueOrDefault(loss) is not OrderedDictionary<object, object?> state) continue;
            foreach (var (name, tensor) in CheckpointSource.Named(state)) source.State[name] = tensor;
        }

        if (root.GetValueOrDefault("epoch") is long and >= 0 and var epoch) source.Epoch = epoch;
    }

    /// <summary>The student's parameters in the order in which its optimizer was given them: decayed ones, then biases and those of one dimension;
    /// the lengths of a last layer's rows are missing where they are frozen.</summary>
    /// <param name="tensors">By full names.</param>
    /// <param name="isDecayed">Which of the two groups.</param>
    /// <param name="withLengths">Whether lengths are learned.</param>
    public static IReadOnlyList<string> Group(IReadOnlyDictionary<string, LazyTensor> tensors, bool isDecayed, bool withLengths)
    {
        string[] own = [.. tensors.Keys.Where(name => name.StartsWith(Student, StringComparison.Ordinal))];
        return [.. own.Where(name => WeightNames.IsUndecayed(name, tensors[name].Shape.Count) != isDecayed)
            .Where(name => withLengths || !name.EndsWith(".weight_g", StringComparison.Ordinal))];
    }

    private static OrderedDictionary<string, LazyTensor>? StateOf(OrderedDictionary<object, object?> root, string network)
    {
        if (root.GetValueOrDefault(network) is not OrderedDictionary<object, object?> state) return null;
        var named = new OrderedDictionary<string, LazyTensor>();
        foreach (var (name, tensor) in CheckpointSource.Named(state)) named.TryAdd(WeightNames.WithoutWrappers(name), tensor);
        return named;
    }

    /// <summary>Whether patches and class tokens have the same last layer.</summary>
    private static bool IsShared(OrderedDictionary<string, LazyTensor> state)
    {
        foreach (var (name, ofPatches) in state.Where(pair => pair.Key.StartsWith(PatchLayer, StringComparison.Ordinal)))
        {
            if (!state.TryGetValue(LastLayer + name[PatchLayer.Length..], out var own) || !own.Shape.SequenceEqual(ofPatches.Shape)) return false;
            using var first = own.Read();
            using var second = ofPatches.Read();
            if (!first.Equals(second)) return false;
        }

        return true;
    }
}
