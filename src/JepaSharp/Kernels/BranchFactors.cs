using System.Runtime.Intrinsics;

namespace JepaSharp.Kernels;

/// <summary>What both branches of every block are multiplied by for each sequence in one pass: stochastic depth.</summary>
/// <param name="values">[blocks, 2, sequences], the attention's branch first.</param>
/// <param name="sequences">Sequences.</param>
internal sealed unsafe class BranchFactors(float[] values, int sequences)
{
    /// <summary>y &lt;- x + factor (y - x), for every wanted row of some sequences.</summary>
    /// <param name="layout">Where rows are.</param>
    /// <param name="group">Sequences, from and to.</param>
    /// <param name="branch">Twice the block, and 1 for the MLP's branch.</param>
    /// <param name="x">Before the branch was added: wanted rows.</param>
    /// <param name="y">With the branch: wanted rows, the group's first at 0.</param>
    /// <param name="width">D.</param>
    public void Apply(SequenceLayout layout, (int First, int End) group, int branch, RowsBefore x, float* y, int width)
    {
        for (var s = group.First; s < group.End; s++)
        {
            var factor = values[(branch * sequences) + s];
            if (factor == 1) continue;
            for (var i = layout.FirstWanted(s); i < layout.FirstWanted(s + 1); i++)
            {
                float* before = x.Of(layout, s, i), row = y + ((i - layout.FirstWanted(group.First)) * width);
                for (var c = 0; c < width; c += 16)
                    (Vector512.Load(before + c) + ((Vector512.Load(row + c) - Vector512.Load(before + c)) * factor)).Store(row + c);
            }
        }
    }

    /// <summary>The gradient of a branch: factor times that of the sum.</summary>
    /// <param name="layout">Where rows are.</param>
    /// <param name="group">Sequences, from and to.</param>
    /// <param name="branch">As in <see cref="Apply"/>.</param>
    /// <param name="from">Gradients of wanted rows, the group's first at 0.</param>
    /// <param name="to">Where the branch's go.</param>
    /// <param name="width">D.</param>
    public void Scale(SequenceLayout layout, (int First, int End) group, int branch, float* from, float* to, int width)
    {
        for (var s = group.First; s < group.End; s++)
        {
            var factor = Vector512.Create(values[(branch * sequences) + s]);
            var first = (layout.FirstWanted(s) - layout.FirstWanted(group.First)) * width;
            var end = (layout.FirstWanted(s + 1) - layout.FirstWanted(group.First)) * width;
            for (var i = first; i < end; i += 16) (Vector512.Load(from + i) * factor).Store(to + i);
        }
    }

    /// <summary>Rows that a branch was added to.</summary>
    /// <param name="rows">All tokens' rows where <paramref name="all"/>, else wanted ones; the group's first at 0.</param>
    /// <param name="all">Whether they are all tokens'.</param>
    /// <param name="first">The group's first sequence.</param>
    /// <param name="width">D.</param>
    internal readonly struct RowsBefore(float* rows, bool all, int first, int width)
    {
        /// <summary>The row of a wanted token.</summary>
        public float* Of(SequenceLayout layout, int sequence, nint wanted) => rows + (width * (!all ? wanted - layout.FirstWanted(first)
            : layout.Wanted is { } chosen ? ((nint)(sequence - first) * layout.Tokens) + chosen[wanted]
            : wanted - layout.FirstWanted(first)));
    }
}
