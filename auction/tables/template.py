"""Two small tables to start from."""

TASKS = """\
task,value,Llama 3 8B,Mistral 7B,Stable Diffusion
Quarterly report,12.50,40,0,0
Product pictures,9.80,0,0,25
Support answers,7.25,10,30,0
Übersetzung Handbuch,6.40,0,45,0
Newsletter,3.10,15,0,4
Nightly summaries,1.90,20,10,0
"""

PROVIDERS = """\
provider,cost,slots,Llama 3 8B,Mistral 7B,Stable Diffusion
Anna's workstation,1.20,2,20,20,0
Rechenzentrum Köln,2.10,3,35,30,10
Gaming PC Jürgen,0.75,1,0,15,12
Studio render node,1.60,2,0,0,20
Laptop 4,0.40,1,8,6,0
Old tower,3.30,1,10,0,5
"""
