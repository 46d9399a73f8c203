"""Rewrites tokens.json: for each text in it, the ids that transformers' fast tokenizer gives (cut to 77, no padding)
and how many they are before the cut.

python3 -m venv v && v/bin/pip install transformers==4.57.1 tokenizers==0.22.1
v/bin/python refresh_tokens.py FOLDER_OF_A_CLIP_TOKENIZER
"""
import json
import pathlib
import sys

from transformers import CLIPTokenizerFast

path = pathlib.Path(__file__).with_name("tokens.json")
tokenizer = CLIPTokenizerFast.from_pretrained(sys.argv[1])
lines = []
for case in json.loads(path.read_text()):
    text = case["text"]
    ids = tokenizer(text, truncation=True, max_length=77)["input_ids"]
    lines.append(json.dumps({"text": text, "ids": ids, "length": len(tokenizer(text)["input_ids"])}))
path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
