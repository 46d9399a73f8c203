"""What compare.py prints: Markdown tables of medians and ratios."""

import statistics

from sides import PEERS

PIECES = {
    "text": "text, 2 x 77 tokens",
    "bind": "keys and values of the prompts, once a picture",
    "unet": "U-Net, one guided call",
    "vae": "VAE decode",
    "load": "load",
}
KINDS = {"sd15": "Stable Diffusion v1.5", "deci10": "DeciDiffusion 1.0", "deci20": "DeciDiffusion 2.0"}
# What DeciDiffusion was published with: 30 of its steps against 50 of Stable Diffusion's.
PUBLISHED = {"fresco": ("deci10", 30), "peer": ("sd15", 50)}
DISTURBED = 0.1  # share of the processors


def row(cells):
    print("| " + " | ".join(cells) + " |")


def print_heads(first, peers, last=()):
    heads = [*first, "fresco, s", *(f"{PEERS[peer]}, s" for peer in peers)]
    heads += [*(f"{PEERS[peer]} / fresco" for peer in peers), *last]
    row(heads)
    row(["---"] * len(heads))


def times_and_ratios(peers, seconds, digits):
    """Cells; a dash where a peer has no such piece."""
    times = [f"{seconds[peer]:.{digits}f}" if peer in seconds else "-" for peer in peers]
    ratios = [f"{seconds[peer] / seconds['fresco']:.2f}" if peer in seconds else "-" for peer in peers]
    return [f"{seconds['fresco']:.{digits}f}", *times, *ratios]


def print_pieces(arguments, kind, measured):
    where = {"native": "all that the processor has", "avx2": "AVX2 alone"}[arguments.isa]
    what = f"{arguments.size}x{arguments.size}, {arguments.precision}, {where}, medians of {arguments.repeat}"
    print(f"\n{KINDS[kind]}, {what}:\n")
    print_heads(["piece"], arguments.peers, ["outputs apart"])
    for piece, sides in measured.seconds.items():
        medians = {side: statistics.median(times) for side, times in sides.items()}
        apart = ", ".join(f"{value:.0e}" for value in measured.apart.get(piece, {}).values())
        row([PIECES[piece], *times_and_ratios(arguments.peers, medians, 3), apart or "-"])


def print_notes(measured):
    if measured.formats:
        formats = ", ".join(f"{PIECES[piece]}: {chosen}" for piece, chosen in measured.formats.items())
        print(f"\nMemory format of diffusers: {formats}.")
    sides = [(shares, side, piece) for piece, sides in measured.others.items() for side, shares in sides.items()]
    runs = [(share, side, piece) for shares, side, piece in sides for share in shares]
    disturbed = [run for run in runs if run[0] > DISTURBED]
    if disturbed:
        share, side, piece = max(disturbed)
        print(f"\n{len(disturbed)} of {len(runs)} runs were disturbed: other programs took up to {share:.0%} of the")
        print(f"processors (from {side}, {PIECES[piece]}).")


def picture_from_parts(record, side, steps):
    """Seconds of a whole picture that the measured pieces add up to."""
    parts = {piece: statistics.median(times[side]) for piece, times in record["seconds"].items() if side in times}
    return parts["text"] + parts.get("bind", 0) + steps * parts["unet"] + parts["vae"]


def print_whole(peers, seconds, how):
    """seconds: {side: seconds of its published picture}"""
    (own, own_steps), (theirs, their_steps) = PUBLISHED["fresco"], PUBLISHED["peer"]
    print(f"\nA whole picture, {how}:")
    print(f"{KINDS[own]}, {own_steps} steps, with fresco; {KINDS[theirs]}, {their_steps} steps, with the others.\n")
    print_heads([], peers)
    row(times_and_ratios(peers, seconds, 1))


def print_whole_from_parts(peers, records):
    """Does nothing where a piece or a kind was not measured."""
    by_kind = {record["kind"]: record for record in records}
    kinds = [kind for kind, _ in PUBLISHED.values()]
    if not all(kind in by_kind and {"text", "unet", "vae"} <= set(by_kind[kind]["seconds"]) for kind in kinds):
        return
    seconds = {"fresco": picture_from_parts(by_kind[kinds[0]], "fresco", PUBLISHED["fresco"][1])}
    for peer in peers:
        seconds[peer] = picture_from_parts(by_kind[kinds[1]], peer, PUBLISHED["peer"][1])
    print_whole(peers, seconds, "added up from the pieces above (text, a U-Net call for each step, VAE)")


def print_memory(pictures):
    """pictures: {setting or peer: its bench's record of one picture}"""
    weights = next(iter(pictures.values()))["weight_bytes_f32"] / 1e9
    print(f"\nOne picture, 2 steps, in a process of its own; the weights as float32 would be {weights:.2f} GB:\n")
    row(["program", "load, s", "draw, s", "peak memory (VmHWM), GB"])
    row(["---"] * 4)
    for name, record in pictures.items():
        peak = record["peak_memory_bytes"] / 1e9
        row([name, f"{record['load_seconds']:.1f}", f"{record['median']:.1f}", f"{peak:.2f}"])
